"""RAM policies from one table: documents, the roles of template.yml, a page for people."""
