"""qwen-image-3.0: one call that answers with the images, of a model that has tasks too (Qwen image
generation and editing API reference)."""

# mypy: ignore-errors
import json
import os

import requests
from dashscope import MultiModalConversation

messages = [{"role": "user", "content": [{"text": "海报：秋天的山谷，标题写着“远方”"}]}]
done = MultiModalConversation.call(
    api_key=os.getenv("DASHSCOPE_API_KEY"),
    model="qwen-image-3.0",
    messages=messages,
    result_format="message",
    stream=False,
    n=1,
    watermark=False,
    prompt_extend=True,
    negative_prompt=" ",
    size="1024*1024",
)
print(json.dumps(done.output, ensure_ascii=False))
print(json.dumps(done.usage, ensure_ascii=False))
with open("made.png", "wb") as file:
    address = done.output.choices[0].message.content[0]["image"]
    file.write(requests.get(address, timeout=30).content)
