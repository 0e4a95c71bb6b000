"""wan2.7-image: a task for a set of pictures (Wan image generation and editing API reference)."""

# mypy: ignore-errors
import json
import os

import requests
from dashscope.aigc.image_generation import ImageGeneration
from dashscope.api_entities.dashscope_response import Message

message = Message(role="user", content=[{"text": "a fox through the four seasons"}])
created = ImageGeneration.async_call(
    model="wan2.7-image",
    api_key=os.getenv("DASHSCOPE_API_KEY"),
    messages=[message],
    enable_sequential=True,
    n=4,
    size="1K",
)
print(created.status_code, created.output.task_status)
done = ImageGeneration.wait(task=created, api_key=os.getenv("DASHSCOPE_API_KEY"))
print(json.dumps(done.output, ensure_ascii=False))
print(json.dumps(done.usage, ensure_ascii=False))
addresses = [
    content["image"]
    for choice in done.output.choices
    for content in choice["message"]["content"]
    if content.get("type") == "image"
]
for number, address in enumerate(addresses):
    with open(f"{number}.png", "wb") as file:
        file.write(requests.get(address, timeout=30).content)
