"""wan2.7-image: one call that answers with the images (Wan image generation and editing API
reference)."""

# mypy: ignore-errors
import json
import os

import requests
from dashscope.aigc.image_generation import ImageGeneration
from dashscope.api_entities.dashscope_response import Message

CLOCK = "https://img.alicdn.com/imgextra/i3/O1CN0157XGE51l6iL9441yX_!!6000000004770-49-tps-1104-1472.webp"

message = Message(
    role="user", content=[{"image": CLOCK}, {"text": "a flower shop behind the alarm clock"}]
)
done = ImageGeneration.call(
    model="wan2.7-image",
    api_key=os.getenv("DASHSCOPE_API_KEY"),
    messages=[message],
    n=1,
    size="2K",
    watermark=False,
    seed=12345,
)
print(json.dumps(done.output, ensure_ascii=False))
print(json.dumps(done.usage, ensure_ascii=False))
for choice in done.output.choices:
    for content in choice["message"]["content"]:
        if content.get("type") == "image":
            with open("made.png", "wb") as file:
                file.write(requests.get(content["image"], timeout=30).content)
