"""qwen-image-2.0: from words alone, by the asyncio client (Qwen image API reference)."""

# mypy: ignore-errors
import asyncio
import json
import os

import requests
from dashscope import AioMultiModalConversation


async def main() -> None:
    done = await AioMultiModalConversation.call(
        api_key=os.getenv("DASHSCOPE_API_KEY"),
        model="qwen-image-2.0",
        messages=[{"role": "user", "content": [{"text": "冬日北京的都市街景"}]}],
        n=1,
        prompt_extend=False,
        size="1328*1328",
    )
    print(json.dumps(done.output, ensure_ascii=False))
    print(json.dumps(done.usage, ensure_ascii=False))
    with open("made.png", "wb") as file:
        address = done.output.choices[0].message.content[0]["image"]
        file.write(requests.get(address, timeout=30).content)


asyncio.run(main())
