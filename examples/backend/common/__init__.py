"""What several apps share: base models, permissions and view mixins. No app of its own."""
