"""aitryon and aitryon-plus: the curl calls of the AI try-on API references. The first writes the
path with a slash at its end, the second without."""

# mypy: ignore-errors
import json
import os
import time

import requests

BASE = os.environ["DASHSCOPE_HTTP_BASE_URL"]
HEADERS = {"Authorization": "Bearer " + os.environ["DASHSCOPE_API_KEY"]}
FILES = "https://help-static-aliyun-doc.aliyuncs.com/file-manage-files/zh-CN/20250626"
UNDER_WAY = ("PENDING", "PRE-PROCESSING", "RUNNING", "POST-PROCESSING")

person = {"person_image_url": f"{FILES}/ubznva/model_person.png"}
top = {"top_garment_url": f"{FILES}/epousa/short_sleeve.jpeg"}
bottom = {"bottom_garment_url": f"{FILES}/rchumi/pants.jpeg"}
for number, (model, path, worn, resolution) in enumerate(
    (
        ("aitryon", "image-synthesis/", top, -1),
        ("aitryon", "image-synthesis/", bottom, 1024),
        ("aitryon-plus", "image-synthesis", {**top, **bottom}, 1280),
    )
):
    created = requests.post(
        f"{BASE}/services/aigc/image2image/{path}",
        headers=HEADERS | {"X-DashScope-Async": "enable"},
        json={
            "model": model,
            "input": {**person, **worn},
            "parameters": {"resolution": resolution, "restore_face": True},
        },
        timeout=30,
    )
    print(created.status_code, created.json()["output"]["task_status"])
    task = created.json()["output"]["task_id"]
    output = {"task_status": "PENDING"}
    while output["task_status"] in UNDER_WAY:
        time.sleep(0.5)
        answer = requests.get(f"{BASE}/tasks/{task}", headers=HEADERS, timeout=30).json()
        output = answer["output"]
    print(output["task_status"], json.dumps(answer["usage"]))
    with open(f"made-{number}.png", "wb") as file:
        file.write(requests.get(output["image_url"], timeout=30).content)
