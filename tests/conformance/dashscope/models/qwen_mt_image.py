"""qwen-mt-image: over HTTP, since the SDK has no call for it (Qwen image translation API
reference)."""

# mypy: ignore-errors
import json
import os
import time

import requests

BASE = os.environ["DASHSCOPE_HTTP_BASE_URL"]
HEADERS = {"Authorization": "Bearer " + os.environ["DASHSCOPE_API_KEY"]}

created = requests.post(
    f"{BASE}/services/aigc/image2image/image-synthesis",
    headers=HEADERS | {"X-DashScope-Async": "enable"},
    json={
        "model": "qwen-mt-image",
        "input": {
            "image_url": "http://synthesis-source.oss-accelerate.aliyuncs.com/lingji/validation/mask2img/demo/source3.jpg",
            "source_lang": "zh",
            "target_lang": "en",
            "ext": {"config": {"imageSegment": False}},
        },
    },
    timeout=30,
)
print(created.status_code, created.json()["output"]["task_status"])
task = created.json()["output"]["task_id"]
output = {"task_status": "PENDING"}
while output["task_status"] in ("PENDING", "RUNNING"):
    time.sleep(1.1)
    answer = requests.get(f"{BASE}/tasks/{task}", headers=HEADERS, timeout=30).json()
    output = answer["output"]
print(json.dumps(output))
print(json.dumps(answer["usage"]))
with open("made.jpg", "wb") as file:
    file.write(requests.get(output["image_url"], timeout=30).content)
