"""wanx-background-generation-v2: the curl calls of the image background generation API reference,
whose path has been printed with and without a slash at its end."""

# mypy: ignore-errors
import json
import os
import time

import requests

BASE = os.environ["DASHSCOPE_HTTP_BASE_URL"]
HEADERS = {
    "X-DashScope-Async": "enable",
    "Authorization": "Bearer " + os.environ["DASHSCOPE_API_KEY"],
    "Content-Type": "application/json",
}
BODY = {
    "model": "wanx-background-generation-v2",
    "input": {
        "base_image_url": "https://vision-poster.oss-cn-shanghai.aliyuncs.com/lllcho.lc/data/test_data/images/main_images/new_main_img/a.png",
        "ref_image_url": "http://vision-poster.oss-cn-shanghai.aliyuncs.com/lllcho.lc/data/test_data/images/ref_images/c5e50d27be534709817b2ab080b0162f_0.jpg",
        "ref_prompt": "山脉和晚霞",
        "reference_edge": {
            "foreground_edge": [
                "https://vision-poster.oss-cn-shanghai.aliyuncs.com/lllcho.lc/data/test_data/images/huaban_soft_edge/6cdd13941cef1b11d885aea1717b983ae566b8efc9094-vcsvxa_fw658webp.png",
                "http://vision-poster.oss-cn-shanghai.aliyuncs.com/lllcho.lc/data/test_data/images/ref_edge/2c36cc4b7da027279e87311dac48fc2d5d784b1e72c0e-x4f1wC_fw658webp.png",
            ],
            "background_edge": [
                "http://vision-poster.oss-cn-shanghai.aliyuncs.com/lllcho.lc/data/test_data/images/ref_edge/0718a9741e07c52ca5506e75c4f2b99e22fff68a4c7d3-P9WGLr_fw658webp.png"
            ],
            "foreground_edge_prompt": ["粉色桃花", "可爱小狗"],
            "background_edge_prompt": ["树叶"],
        },
    },
    "parameters": {"n": 4, "ref_prompt_weight": 0.5, "model_version": "v3"},
}
TEXT_ALONE = {
    "model": "wanx-background-generation-v2",
    "input": {"base_image_url": BODY["input"]["base_image_url"], "ref_prompt": "山脉和晚霞"},
    "parameters": {"model_version": "v2", "n": 1},
}

made = 0
for path, body in (("generation", BODY), ("generation/", TEXT_ALONE)):
    url = f"{BASE}/services/aigc/background-generation/{path}"
    created = requests.post(url, headers=HEADERS, json=body, timeout=30)
    print(created.status_code, created.json()["output"]["task_status"])
    task = created.json()["output"]["task_id"]
    output = {"task_status": "PENDING"}
    while output["task_status"] in ("PENDING", "RUNNING"):
        time.sleep(0.5)
        answer = requests.get(f"{BASE}/tasks/{task}", headers=HEADERS, timeout=30).json()
        output = answer["output"]
    print(json.dumps(output))
    print(json.dumps(answer["usage"]))
    for result in output["results"]:
        made += 1
        with open(f"made-{made}.png", "wb") as file:
            file.write(requests.get(result["url"], timeout=30).content)

wrong = {**TEXT_ALONE, "model": "wanx-background-generation-v3"}
url = f"{BASE}/services/aigc/background-generation/generation"
print(requests.post(url, headers=HEADERS, json=wrong, timeout=30).status_code)
