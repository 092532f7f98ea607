"""Which content types belong to which file extension.

The declared type is what the bytes are later served with. Were it free, somebody could upload a page of HTML
as ``notes.txt`` and have it run in the origin of whoever looks at it.
"""

CONTENT_TYPES = {
    "pdf": ["application/pdf"],
    "txt": ["text/plain"],
    "md": ["text/markdown", "text/x-markdown", "text/plain"],
    "csv": ["text/csv", "text/plain", "application/vnd.ms-excel"],
    "docx": ["application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
    "pptx": ["application/vnd.openxmlformats-officedocument.presentationml.presentation"],
    "xlsx": ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
}
UNKNOWN = ["application/octet-stream"]


def extension_of(filename: str) -> str:
    """The extension in small letters, without its dot."""
    stem, dot, extension = filename.rpartition(".")
    return extension.lower() if stem and dot else ""


def accepted_types(extension: str) -> list[str]:
    """The content types a file of this extension may declare, the usual one first."""
    return CONTENT_TYPES.get(extension, UNKNOWN)
