"""wanx2.1-imageedit: a task, waited for (general image editing 2.1 API reference)."""

# mypy: ignore-errors
import json
import os
from http import HTTPStatus
from pathlib import PurePosixPath
from urllib.parse import unquote, urlparse

import requests
from dashscope import ImageSynthesis

DOG = "http://synthesis-source.oss-accelerate.aliyuncs.com/lingji/validation/mask2img/demo/source3.jpg"
MASK = "http://synthesis-source.oss-accelerate.aliyuncs.com/lingji/validation/mask2img/demo/glasses.png"

created = ImageSynthesis.async_call(
    api_key=os.getenv("DASHSCOPE_API_KEY"),
    model="wanx2.1-imageedit",
    function="description_edit_with_mask",
    prompt="a dog wearing red glasses",
    base_image_url=DOG,
    mask_image_url=MASK,
    n=2,
)
print(created.status_code, created.output.task_status)
done = ImageSynthesis.wait(created)
print(json.dumps(done.output, ensure_ascii=False))
print(json.dumps(done.usage, ensure_ascii=False))
if done.status_code == HTTPStatus.OK:
    for number, result in enumerate(done.output.results):
        kind = PurePosixPath(unquote(urlparse(result.url).path)).suffix
        with open(f"{number}{kind}", "wb") as file:
            file.write(requests.get(result.url, timeout=30).content)
