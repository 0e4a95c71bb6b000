// Chinese for sentences of the catalogue's files, by their English text. A sentence that is not
// here is shown as the file has it: a new model works at once, its help is in English until then.

export const catalogueZh = {
  "Edits one picture, or fuses up to three, after instructions in words.": "按文字指令编辑一张图片，或融合最多三张图片。",
  "Makes a finished picture from a hand-drawn sketch and a prompt.": "根据手绘涂鸦和提示词生成完整的画作。",
  "Repaints the masked region of a picture after a prompt; the rest stays unchanged.": "按提示词重绘图片中涂抹的区域，其余部分保持不变。",

  "The edit in words, in Chinese or English; pictures are \"Image 1\", \"Image 2\", …": "用中文或英文描述要做的修改；用“图1”“图2”指代图片。",
  "One to three pictures as URL or inline data; the order counts.": "一至三张图片，顺序有意义。",
  "What the picture must not show.": "画面中不希望出现的内容。",
  "Width*height of the output in pixels. If left out, about 1280*1280 pixels in the aspect of the last picture, which is not the same as writing 1280*1280.": "输出图像的宽*高（像素）。不填则总像素约为 1280*1280，宽高比与最后一张图片一致。",
  "How many images to make; each successful one is paid for.": "生成图片的数量；按成功的张数计费。",
  "How many images to make; each successful one uses up free quota.": "生成图片的数量；每成功一张消耗一张免费额度。",
  "True writes \"AI-generated\" into the lower right corner.": "开启后在右下角添加“AI生成”水印。",
  "True lets a language model rewrite the prompt; better, but slower.": "开启后由大模型改写提示词，效果更好但更慢。",
  "Image k uses seed+k. Left out, it is random.": "第 k 张使用 seed+k。不填则随机。",

  "What the picture should show, in Chinese or English.": "用中文或英文描述想要的画面。",
  "The sketch, best on a white background. No inline (base64) data.": "涂鸦图，最好是白色背景。",
  "Style of the picture; the brackets belong to the value. <auto> picks one at random.": "画面风格；“自动”为随机选择。",
  "Width*height of the output in pixels; there is one only.": "输出图像的宽*高（像素），仅有一种。",
  "How closely the picture follows the sketch; 10 is closest.": "画面贴合涂鸦的程度，10 为最贴合。",
  "True extracts the edges of a photograph; sketch_color is then ignored.": "开启后从照片中提取边缘；此时画笔颜色无效。",
  "Colours [R, G, B] of the lines, if they are not black; all else is background.": "线条不是黑色时的颜色；其余视为背景。",

  "What to paint into the masked region, in Chinese or English.": "用中文或英文描述要画入涂抹区域的内容。",
  "The picture to repaint. No inline (base64) data.": "要重绘的图片。",
  "The region to repaint (white, unless mask_color says otherwise), as wide and as high as the base image. No inline (base64) data.": "要重绘的区域，与原图同宽同高。",
  "Style of the new part; the brackets belong to the value.": "新画部分的风格。",
  "Width*height of the output in pixels.": "输出图像的宽*高（像素）。",
  "Colours [R, G, B] of the mask that mark the region to repaint. Empty: the mask is made black and white, and white is repainted.": "涂抹图中表示重绘区域的颜色。留空：按黑白处理，重绘白色区域。",

  "a text with at least one visible character": "至少含一个可见字符的文本",
  "width*height with a star between, such as 1280*1280": "宽*高，中间为星号，例如 1280*1280",

  auto: "自动",
  "3d cartoon": "3D 卡通",
  anime: "动漫",
  "oil painting": "油画",
  watercolor: "水彩",
  sketch: "素描",
  "chinese painting": "国画",
  "flat illustration": "扁平插画",
};
