"""z-image-turbo: the image, and the words it was made of (Z-Image API reference)."""

# mypy: ignore-errors
import json
import os

import requests
from dashscope import MultiModalConversation

done = MultiModalConversation.call(
    api_key=os.getenv("DASHSCOPE_API_KEY"),
    model="z-image-turbo",
    messages=[{"role": "user", "content": [{"text": "film grain, a lighthouse at dusk"}]}],
    size="1024*1024",
    prompt_extend=False,
)
print(json.dumps(done.output, ensure_ascii=False))
print(json.dumps(done.usage, ensure_ascii=False))
image, text = done.output.choices[0].message.content
print(text["text"])
with open("made.png", "wb") as file:
    file.write(requests.get(image["image"], timeout=30).content)
