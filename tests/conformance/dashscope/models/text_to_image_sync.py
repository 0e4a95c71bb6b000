"""wan2.5-t2i-preview: a task that the SDK itself waits for (text to image V2 API reference)."""

# mypy: ignore-errors
import json
import os
from http import HTTPStatus

import requests
from dashscope import ImageSynthesis

done = ImageSynthesis.call(
    api_key=os.getenv("DASHSCOPE_API_KEY"),
    model="wan2.5-t2i-preview",
    prompt="一间有着精致窗户的花店，漂亮的木质门，摆放着花朵",
    negative_prompt="",
    n=1,
    size="1280*1280",
    prompt_extend=True,
    watermark=False,
    seed=12345,
)
print(json.dumps(done.output, ensure_ascii=False))
print(json.dumps(done.usage, ensure_ascii=False))
if done.status_code == HTTPStatus.OK:
    for number, result in enumerate(done.output.results):
        with open(f"{number}.png", "wb") as file:
            file.write(requests.get(result.url, timeout=30).content)
