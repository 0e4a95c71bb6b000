// Further prompts and pictures for the same form, each of them a job of its own.

import { h, replace, uid } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";
import { complain } from "../notices.js";
import { acceptOf, fittingPicture } from "../picture.js";
import { changingField, morePictures } from "../several.js";

/** Null where there is nothing that could change from job to job. */
export function severalPart({ model, draft }, onChange) {
  const [field, prompt] = [changingField(model, draft), model.input.properties.prompt];
  if (!field && !prompt) return null;
  const isUsed = draft.prompts.trim() !== "" || morePictures(draft).length > 0;
  return h(
    "details",
    { class: "several", open: isUsed },
    h("summary", {}, t("several.title")),
    h("div", {}, prompt ? prompts(draft, onChange) : null, field ? pictures(draft, field, onChange) : null),
  );
}

function prompts(draft, onChange) {
  const id = uid("several");
  const oninput = ({ target }) => {
    draft.prompts = target.value;
    onChange("/several");
  };
  return h("div", { class: "several-field" }, h("label", { for: id }, t("several.prompts")), h("textarea", { id, rows: 3, value: draft.prompts, oninput }), h("p", { class: "help" }, t("several.prompts.help")));
}

function pictures(draft, { rule }, onChange) {
  const list = h("ul", { class: "several-list" });
  const draw = () => {
    const all = morePictures(draft);
    const remove = (at) => () => { all.splice(at, 1); draw(); onChange("/several"); };
    replace(list, all.map((one, at) => h("li", {}, one.address ? h("img", { src: one.address, alt: one.name }) : one.name, h("button", { type: "button", class: "tool small", "aria-label": t("image.remove", { name: one.name }), onclick: remove(at) }, icon("x")))));
  };
  const take = async ({ target }) => {
    const files = [...target.files];
    target.value = "";
    for (const file of files) {
      const picture = await fittingPicture(file, rule).catch((error) => complain(error.message));
      if (picture) morePictures(draft).push(picture);
    }
    draw();
    onChange("/several");
  };
  draw();
  const input = h("input", { type: "file", multiple: true, class: "visually-hidden", tabindex: "-1", "aria-label": t("several.pictures"), accept: acceptOf(rule), onchange: take });
  return h("div", { class: "several-field" }, list, input, h("button", { type: "button", class: "chip-button", onclick: () => input.click() }, icon("image"), t("several.pictures")), h("p", { class: "help" }, t("several.pictures.help")));
}
