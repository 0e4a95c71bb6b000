"""qwen-image-plus: one call that answers with the image, of a model whose tasks take the flat form
(Qwen image API reference)."""

# mypy: ignore-errors
import json
import os

import requests
from dashscope import MultiModalConversation

done = MultiModalConversation.call(
    api_key=os.getenv("DASHSCOPE_API_KEY"),
    model="qwen-image-plus",
    messages=[{"role": "user", "content": [{"text": "一副典雅庄重的对联悬挂于厅堂之中"}]}],
    result_format="message",
    stream=False,
    watermark=False,
    prompt_extend=True,
    negative_prompt="低分辨率，低画质",
    size="1328*1328",
)
print(json.dumps(done.output, ensure_ascii=False))
print(json.dumps(done.usage, ensure_ascii=False))
with open("made.png", "wb") as file:
    address = done.output.choices[0].message.content[0]["image"]
    file.write(requests.get(address, timeout=30).content)
