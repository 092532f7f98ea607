"""Reading a document's bytes into chunks, inside the request: there is no task queue here."""

import csv
import uuid
from collections.abc import Iterable

from documents.models import Document, DocumentChunk
from documents.splitters import Piece, split_csv, split_text
from storage import store

SPLITTERS = {"txt": split_text, "md": split_text, "csv": split_csv}


class Unreadable(Exception):
    """The bytes are not what the file's extension promises."""


def ingest(document: Document) -> None:
    """(Re)build the chunks; the outcome is on the document, which is what clients poll."""
    document.task_id = uuid.uuid4()
    document.chunks.all().delete()
    try:
        pieces = _pieces(document)
    except Unreadable as problem:
        pieces = []
        document.processing_status = Document.Processing.FAILED
        document.processing_error = str(problem)
    else:
        document.processing_status = Document.Processing.READY
        document.processing_error = ""
    document.chunk_count = len(_store(document, pieces))
    document.save()


def _pieces(document: Document) -> list[Piece]:
    """The chunks of text-like files; of others, one that says what was stored."""
    splitter = SPLITTERS.get(document.file_type)
    if splitter is None:
        return [_description(document)]
    try:
        return list(splitter(store.read(document.s3_key).decode("utf-8-sig")))
    except UnicodeDecodeError:
        raise Unreadable("The file is not UTF-8 text.") from None
    except csv.Error as error:
        raise Unreadable(f"The file is not valid CSV: {error}.") from None


def _description(document: Document) -> Piece:
    """A stand-in for the text of a format this backend has no reader for."""
    size_and_type = f"{document.file_size} bytes of {document.mime_type}"
    text = f"{document.original_filename}: {size_and_type}. No text was extracted."
    return Piece(text, metadata={"bytes": document.file_size, "mime_type": document.mime_type})


def _store(document: Document, pieces: Iterable[Piece]) -> list[DocumentChunk]:
    """Save the chunks in their order."""
    return DocumentChunk.objects.bulk_create(
        DocumentChunk(
            document=document,
            index=index,
            text=piece.text,
            page_number=piece.page_number,
            section_heading=piece.section_heading,
            metadata=piece.metadata,
        )
        for index, piece in enumerate(pieces)
    )
