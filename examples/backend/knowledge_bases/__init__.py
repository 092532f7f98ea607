"""Knowledge bases: collections of documents that chats can search."""
