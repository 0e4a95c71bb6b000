"""The images of a request, put where a job can name them."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from shared.api.image_files import EXTENSIONS, MOST_BYTES
from shared.api.openai import errors
from shared.api.openai.reading import Sent
from shared.app import App
from shared.catalogue.models import ImageRule
from shared.catalogue.plain import Plain
from shared.jobfile.openai_form import IMAGE, MASK, NotWritable, Places
from shared.jobfile.openai_mask import mask_for
from shared.jobfile.references import BadReference, read_reference
from shared.jobs.input_urls import media_type_of
from shared.storage import layout
from shared.storage.objects import ObjectMissing, ObjectTooLarge


@dataclass
class Files:
    """The files of one request. They lie below a folder that follows from who asks and for what, so
    that a repetition finds them there, and that nobody else can know."""

    app: App
    owner: str
    content: bytes

    def check(self, sent: Sent) -> None:
        """Refuses files that no model takes. Raises OpenAIError."""
        files = [(IMAGE, one) for one in sent.images] + [(MASK, sent.mask)]
        for param, body in files:
            if not isinstance(body, bytes):
                continue
            if len(body) > MOST_BYTES:
                message = f"The file has {len(body)} bytes; at most {MOST_BYTES} are taken."
                raise errors.field_invalid(param, message)
            if media_type_of(body) not in EXTENSIONS:
                kinds = ", ".join(EXTENSIONS)
                raise errors.field_invalid(param, f"The file is none of {kinds}.")

    def masked(self, sent: Sent, places: Places) -> bytes | Plain:
        """The mask as the model wants it. Raises NotWritable, StoreError."""
        if places.mask is None or sent.mask is None:
            return sent.mask
        if isinstance(sent.mask, bytes):
            return mask_for(places.mask, sent.mask)
        if not isinstance(sent.mask, str):
            raise NotWritable(MASK, "the mask must be a file, or a text that names an image")
        body = self._named(sent.mask, places.mask)
        made = mask_for(places.mask, body)
        return sent.mask if made is body else made

    def stored(self, images: list[bytes | Plain], mask: bytes | Plain) -> tuple[list[Plain], Plain]:
        """References to images and mask, which lie in the bucket then. Raises StoreError."""
        named = [self._stored(one, f"image-{at}") for at, one in enumerate(images, 1)]
        return named, self._stored(mask, MASK)

    def _stored(self, value: bytes | Plain, stem: str) -> Plain:
        if not isinstance(value, bytes):
            return value
        media_type = media_type_of(value)
        key = f"{layout.INPUTS}{self._folder()}/{stem}.{EXTENSIONS[media_type][0]}"
        self.app.store.put(key, value, media_type)
        return f"oss:///{key}"

    def _folder(self) -> str:
        return hashlib.sha256(self.owner.encode() + b"\n" + self.content).hexdigest()[:32]

    def _named(self, text: str, rule: ImageRule) -> bytes:
        """A mask that is named: of the bucket, or inline. Others cannot be read from here."""
        try:
            reference = read_reference(
                text, self.app.acceptance.intake.place(), inline=True, ascii_url=False
            )
            if reference.key is not None:
                return self.app.store.read(reference.key, rule.max_bytes).body
            if reference.form == "data":
                return base64.b64decode(text.partition(",")[2], validate=True)
        except (BadReference, ObjectMissing, ObjectTooLarge) as error:
            raise NotWritable(MASK, f"the mask cannot be read: {error}") from None
        except (binascii.Error, ValueError):
            raise NotWritable(MASK, "the mask's inline data is not valid base64") from None
        raise NotWritable(
            MASK,
            "a mask at an address cannot be read from here; send the file, or upload it (POST"
            " /uploads) and write oss:///inputs/…",
        )
