"""wanx2.1-t2i-turbo: a task, waited for (text to image V2 API reference)."""

# mypy: ignore-errors
import json
import os
from http import HTTPStatus

import requests
from dashscope import ImageSynthesis

created = ImageSynthesis.async_call(
    api_key=os.getenv("DASHSCOPE_API_KEY"),
    model="wanx2.1-t2i-turbo",
    prompt="一间有着精致窗户的花店，漂亮的木质门，摆放着花朵",
    n=2,
    size="512*1024",
)
print(created.status_code, created.output.task_status)
done = ImageSynthesis.wait(created)
print(json.dumps(done.output, ensure_ascii=False))
print(json.dumps(done.usage, ensure_ascii=False))
if done.status_code == HTTPStatus.OK:
    for number, result in enumerate(done.output.results):
        with open(f"{number}.png", "wb") as file:
            file.write(requests.get(result.url, timeout=30).content)
