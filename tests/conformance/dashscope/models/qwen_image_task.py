"""qwen-image: a task that the SDK itself waits for (Qwen image API reference)."""

# mypy: ignore-errors
import json
import os
from http import HTTPStatus

import requests
from dashscope import ImageSynthesis

done = ImageSynthesis.call(
    api_key=os.getenv("DASHSCOPE_API_KEY"),
    model="qwen-image",
    prompt="一副典雅庄重的对联悬挂于厅堂之中",
    negative_prompt=" ",
    n=1,
    size="1664*928",
    prompt_extend=True,
    watermark=False,
)
print(json.dumps(done.output, ensure_ascii=False))
print(json.dumps(done.usage, ensure_ascii=False))
if done.status_code == HTTPStatus.OK:
    for number, result in enumerate(done.output.results):
        with open(f"{number}.png", "wb") as file:
            file.write(requests.get(result.url, timeout=30).content)
