"""Nothing at run time: the stubs beside it are the typed tree, for type checkers."""
