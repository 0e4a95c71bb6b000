// What a person leaves in this browser is not for the next one.

import { forgetDrafts } from "./draft.js";
import { forgetPictures } from "./keptpictures.js";
import { forgetRemembered } from "./remembered.js";

/** Drafts, pictures, favourites and prompts. */
export async function forgetPerson() {
  forgetRemembered();
  await Promise.all([forgetDrafts(), forgetPictures()]);
}
