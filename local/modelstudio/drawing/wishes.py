"""What a prompt asks to be done to a picture, found by its words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import cv2
import numpy as np

from local.modelstudio.drawing.canvas import Pixels, Rng, blur, channels, luminance, mix, saturate
from local.modelstudio.drawing.moods import (
    Effect,
    autumn,
    black_and_white,
    blurred_background,
    contrast,
    fog,
    graded,
    night,
    rain,
    snow,
    spring,
    sunset,
    vignette,
    vintage,
)
from local.modelstudio.drawing.words import mentions

_T = TypeVar("_T")


def _brighter(picture: Pixels, rng: Rng) -> Pixels:
    return graded(picture ** np.float32(0.72), (1.06, 1.06, 1.06))


def _darker(picture: Pixels, rng: Rng) -> Pixels:
    return vignette(contrast(picture * np.float32(0.68), 0.2), 0.3)


def _warmer(picture: Pixels, rng: Rng) -> Pixels:
    return graded(picture, (1.12, 1.0, 0.84))


def _cooler(picture: Pixels, rng: Rng) -> Pixels:
    return graded(picture, (0.86, 0.98, 1.14))


def _vivid(picture: Pixels, rng: Rng) -> Pixels:
    return saturate(picture, 1.5)


def _dramatic(picture: Pixels, rng: Rng) -> Pixels:
    return contrast(picture, 0.7)


def _dreamy(picture: Pixels, rng: Rng) -> Pixels:
    return mix(picture, 1 - (1 - picture) * (1 - blur(picture, 14)), 0.5)


# In the order in which they are done: the season, then the hour, then the weather before it,
# then what is done to the print.
_EFFECTS: Sequence[tuple[str, Effect]] = (
    (
        "blur background|blurred background|blur the background|blurry background|bokeh"
        "|depth of field|虚化|背景模糊|模糊背景",
        blurred_background,
    ),
    ("autumn|fall colours|fall colors|秋", autumn),
    ("spring|春", spring),
    ("sunset|sunrise|dusk|dawn|golden hour|日落|夕阳|黄昏|日出", sunset),
    ("night|nighttime|midnight|moonlight|夜", night),
    ("snow|snowy|snowing|snowfall|winter|雪|冬", snow),
    ("rain|rainy|raining|雨", rain),
    ("fog|foggy|mist|misty|雾", fog),
    ("brighter|brighten|bright|明亮|亮", _brighter),
    ("darker|darken|moody|变暗|暗", _darker),
    ("warm|warmer|暖", _warmer),
    ("cooler|cold|冷", _cooler),
    ("vivid|vibrant|colourful|colorful|鲜艳", _vivid),
    ("contrast|dramatic|对比", _dramatic),
    ("dreamy|soft light|glow|梦幻|柔和", _dreamy),
    ("black and white|black-and-white|monochrome|greyscale|grayscale|黑白", black_and_white),
    ("vintage|retro|old photo|sepia|复古|怀旧|老照片", vintage),
)

_STYLES: Sequence[tuple[str, str]] = (
    ("watercolor|watercolour|aquarelle|水彩", "<watercolor>"),
    ("oil painting|oil paint|in oils|impressionist|油画", "<oil painting>"),
    ("chinese painting|ink wash|ink painting|水墨|国画|中国画", "<chinese painting>"),
    ("sketch|pencil|charcoal|素描|铅笔", "<sketch>"),
    ("anime|manga|comic|动漫|漫画|二次元", "<anime>"),
    ("cartoon|3d|clay|卡通|立体", "<3d cartoon>"),
    ("flat illustration|vector|illustration|poster|扁平|插画", "<flat illustration>"),
)


def _sharper(picture: Pixels, rng: Rng) -> Pixels:
    sharp = picture + (picture - blur(picture, 2.5)) * np.float32(0.9)
    return np.asarray(np.clip(sharp, 0, 1), np.float32)


def _lighter(picture: Pixels, rng: Rng) -> Pixels:
    return np.asarray(picture ** np.float32(0.78), np.float32)


def _dimmer(picture: Pixels, rng: Rng) -> Pixels:
    return np.asarray(picture ** np.float32(1.25), np.float32)


def _cleaner(picture: Pixels, rng: Rng) -> Pixels:
    fine = np.ascontiguousarray(picture, np.float32)
    return np.asarray(cv2.bilateralFilter(fine, 5, 0.10, 3))


def _livelier(picture: Pixels, rng: Rng) -> Pixels:
    return saturate(picture, 1.3)


def _calmer(picture: Pixels, rng: Rng) -> Pixels:
    return saturate(picture, 0.7)


# What is not wanted in a picture, and what is done against it.
_REMEDIES: Sequence[tuple[str, Effect]] = (
    (
        "low quality|worst quality|noise|noisy|grain|grainy|jpeg artifacts|low resolution"
        "|低质量|低分辨率|噪点",
        _cleaner,
    ),
    ("blurry|blur|blurred|out of focus|模糊", _sharper),
    ("dark|darkness|underexposed|gloomy|黑暗|暗", _lighter),
    ("bright|overexposed|glare|过曝|刺眼", _dimmer),
    ("dull|faded|pale|washed out|grey|gray|暗淡|灰", _livelier),
    ("oversaturated|saturated|garish|过饱和", _calmer),
)


def _filmic(picture: Pixels, rng: Rng) -> Pixels:
    grey = luminance(picture)[..., None]
    toned = mix(picture, grey * channels((0.75, 1.0, 1.1)), (1 - grey) * np.float32(0.6))
    return graded(toned, (1.08, 1.02, 0.96))


def _golden(picture: Pixels, rng: Rng) -> Pixels:
    return contrast(graded(saturate(picture, 1.15), (1.10, 1.0, 0.86)), 0.35)


def _deep(picture: Pixels, rng: Rng) -> Pixels:
    return vignette(contrast(graded(picture, (0.92, 1.0, 1.10)), 0.5), 0.35)


def _matte(picture: Pixels, rng: Rng) -> Pixels:
    return graded(contrast(saturate(picture, 0.75), -0.35), (1.05, 1.0, 0.98), 0.07)


_LOOKS: Sequence[Effect] = (_golden, _filmic, _deep, _matte, _dreamy, _vivid)


def _found(text: str, table: Sequence[tuple[str, _T]]) -> list[_T]:
    return [thing for words, thing in table if mentions(text, *words.split("|"))]


def effects_in(prompt: str) -> list[Effect]:
    """The changes of light, season and look that the prompt asks for."""
    return _found(prompt, _EFFECTS)


def style_in(prompt: str) -> str | None:
    """The style that the prompt asks for, as the `style` parameter would name it."""
    return next(iter(_found(prompt, _STYLES)), None)


def remedies_in(negative_prompt: str) -> list[Effect]:
    """What is done against the things that the negative prompt names."""
    return _found(negative_prompt, _REMEDIES)


def any_look(rng: Rng) -> Effect:
    """A photographer's look, for a prompt without a wish that this program understands."""
    return _LOOKS[int(rng.integers(len(_LOOKS)))]
