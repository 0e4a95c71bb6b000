"""wanx-style-repaint-v1: the Python example of the portrait restyling guide, with both kinds of
style; success carries an error code of 0, which is no error."""

# mypy: ignore-errors
import json
import os
import time
from http import HTTPStatus

import requests

BASE = os.environ["DASHSCOPE_HTTP_BASE_URL"]
API_KEY = os.getenv("DASHSCOPE_API_KEY")


HEADERS = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
for number, given in enumerate(
    (
        {
            "image_url": "https://vigen-video.oss-cn-shanghai.aliyuncs.com/demo_image/image_demo_input.png",
            "style_index": 3,
        },
        {
            "image_url": "https://vigen-video.oss-cn-shanghai.aliyuncs.com/demo_image/input_example.png",
            "style_ref_url": "https://vigen-video.oss-cn-shanghai.aliyuncs.com/demo_image/style_example.png",
            "style_index": -1,
        },
    )
):
    url = f"{BASE}/services/aigc/image-generation/generation"
    headers = HEADERS | {"X-DashScope-Async": "enable"}
    body = {"model": "wanx-style-repaint-v1", "input": given}
    response = requests.post(url, headers=headers, json=body, timeout=30)
    print(response.status_code)
    assert response.status_code == HTTPStatus.OK, response.text
    task_id = response.json().get("output", {}).get("task_id")
    task_status = None
    while task_status not in ("SUCCEEDED", "FAILED"):
        time.sleep(0.5)
        answer = requests.get(f"{BASE}/tasks/{task_id}", headers=HEADERS, timeout=30).json()
        task_status = answer.get("output", {}).get("task_status")
    print(task_status, json.dumps(answer["usage"]))
    [result] = answer["output"]["results"]
    with open(f"made-{number}.png", "wb") as file:
        file.write(requests.get(result["url"], timeout=30).content)
