"""How Sphinx builds the documentation; see https://www.sphinx-doc.org/en/master/usage/configuration.html."""

from galtea_async._version import __version__

project = "galtea-async"
author = "The galtea-async authors"
project_copyright = f"2026, {author}"
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "galtea-async"

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# What stands between single backticks in a docstring is code.
default_role = "code"

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_class_signature = "mixed"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

# Every reference into the package must resolve. References to other projects cannot be looked up without a
# network, which a build must not need.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!galtea_async\b).*")]
