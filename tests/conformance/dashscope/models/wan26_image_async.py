"""wan2.6-image: a task that edits a picture (Wan image generation API reference)."""

# mypy: ignore-errors
import json
import os

import requests
from dashscope.aigc.image_generation import ImageGeneration
from dashscope.api_entities.dashscope_response import Message

CLOCK = "https://img.alicdn.com/imgextra/i3/O1CN0157XGE51l6iL9441yX_!!6000000004770-49-tps-1104-1472.webp"

message = Message(role="user", content=[{"text": "the alarm clock in the snow"}, {"image": CLOCK}])
created = ImageGeneration.async_call(
    model="wan2.6-image",
    api_key=os.getenv("DASHSCOPE_API_KEY"),
    messages=[message],
    negative_prompt="blurry",
    enable_interleave=False,
    n=1,
    size="1K",
)
print(created.status_code, created.output.task_status)
done = ImageGeneration.wait(task=created, api_key=os.getenv("DASHSCOPE_API_KEY"))
print(json.dumps(done.output, ensure_ascii=False))
print(json.dumps(done.usage, ensure_ascii=False))
for choice in done.output.choices:
    for content in choice["message"]["content"]:
        if content.get("type") == "image":
            with open("made.png", "wb") as file:
                file.write(requests.get(content["image"], timeout=30).content)
