"""What the cloud knows of a file by its hash."""

from __future__ import annotations

from ..endpoints import hash_of
from .call import Answer, Call, Refusal


def sha1_of(sha256: str) -> str:
    """The pretend SHA-1 of the content with this SHA-256."""
    return hash_of("sha1", sha256)


def details(call: Call) -> Answer:
    wanted = call.parts[0].lower()
    if len(wanted) not in {40, 64} or set(wanted) - set("0123456789abcdef"):
        raise Refusal(400, "InvalidHashValue", "The hash is not valid")
    known = {file.sha256 for endpoint in call.tenant.endpoints.values() for file in endpoint.files}
    by_sha256 = call.options.file_lookup != "by_sha1_only"
    found = next((one for one in known if wanted == sha1_of(one) or (by_sha256 and wanted == one)), None)
    if found is None:
        raise Refusal(404, "ResourceNotFound", "The file was not found")
    sha1 = None if call.options.file_lookup == "without_sha1" else sha1_of(found)
    return Answer({"sha1": sha1, "sha256": found, "md5": None, "globalPrevalence": 1, "isValidCertificate": None, "signer": None})
