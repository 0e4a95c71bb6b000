// Wording for people who see a form where the catalogue's files speak to people who write job
// files: without brackets, addresses and true or false.

export const catalogueEn = {
  "One to three pictures as URL or inline data; the order counts.": "One to three pictures; the order counts.",
  "Width*height of the output in pixels. If left out, about 1280*1280 pixels in the aspect of the last picture, which is not the same as writing 1280*1280.": "Width × height in pixels. Automatic: about 1280 × 1280 pixels in all, in the proportions of the last picture.",
  "True writes \"AI-generated\" into the lower right corner.": "Writes “AI-generated” into the lower right corner.",
  "True lets a language model rewrite the prompt; better, but slower.": "Lets a language model rewrite the prompt: better, but slower.",
  "Image k uses seed+k. Left out, it is random.": "The same number gives similar pictures again. Empty: random.",
  "The sketch, best on a white background. No inline (base64) data.": "The sketch, best on a white background.",
  "Style of the picture; the brackets belong to the value. <auto> picks one at random.": "Style of the picture. Auto picks one at random.",
  "Width*height of the output in pixels; there is one only.": "Width × height in pixels; there is one only.",
  "True extracts the edges of a photograph; sketch_color is then ignored.": "Extracts the edges of a photograph; the sketch colours are then ignored.",
  "The picture to repaint. No inline (base64) data.": "The picture to repaint.",
  "Style of the new part; the brackets belong to the value.": "Style of the new part.",
  "Width*height of the output in pixels.": "Width × height of the result in pixels.",
  "Colours [R, G, B] of the mask that mark the region to repaint. Empty: the mask is made black and white, and white is repainted.": "Colours of an imported mask that mark what to repaint. Leave it empty for a mask that is painted here.",
};
