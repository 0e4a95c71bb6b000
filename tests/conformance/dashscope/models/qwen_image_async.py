"""qwen-image-3.0: a task (Qwen image generation and editing API reference)."""

# mypy: ignore-errors
import json
import os

import requests
from dashscope.aigc.image_generation import ImageGeneration
from dashscope.api_entities.dashscope_response import Message

message = Message(role="user", content=[{"text": "a poster: a valley in autumn"}])
created = ImageGeneration.async_call(
    model="qwen-image-3.0",
    api_key=os.getenv("DASHSCOPE_API_KEY"),
    messages=[message],
    n=2,
    size="1024*1024",
    negative_prompt="blurred",
)
print(created.status_code, created.output.task_status)
done = ImageGeneration.wait(created)
print(json.dumps(done.output, ensure_ascii=False))
print(json.dumps(done.usage, ensure_ascii=False))
for number, content in enumerate(done.output.choices[0].message.content):
    with open(f"{number}.png", "wb") as file:
        file.write(requests.get(content["image"], timeout=30).content)
