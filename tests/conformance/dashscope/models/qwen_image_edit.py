"""qwen-image-edit-plus: several images, one of them a local file (Qwen image editing API
reference)."""

# mypy: ignore-errors
import json
import os

import dashscope
import requests
from dashscope import MultiModalConversation

TABLE = "https://img.alicdn.com/imgextra/i3/O1CN01SfG4J41UYn9WNt4X1_!!6000000002530-49-tps-1696-960.webp"

messages = [
    {
        "role": "user",
        "content": [
            {"image": "file://./image_1.png"},
            {"image": TABLE},
            {"text": "Place the clock of image 1 on the table of image 2."},
        ],
    }
]
done = MultiModalConversation.call(
    api_key=dashscope.api_key or os.getenv("DASHSCOPE_API_KEY"),
    model="qwen-image-edit-plus",
    messages=messages,
    n=2,
    watermark=False,
    negative_prompt=" ",
    prompt_extend=True,
    size="1024*1536",
)
print(json.dumps(done.output, ensure_ascii=False))
print(json.dumps(done.usage, ensure_ascii=False))
for number, content in enumerate(done.output.choices[0].message.content):
    with open(f"{number}.png", "wb") as file:
        file.write(requests.get(content["image"], timeout=30).content)
