"""What codes are called, in the reader's language."""

from services.lobby import policy, words


def name_of(kind: policy.Kind, code: str) -> str:
    """What a code is called. A name that has no English is given in Chinese; a code without a name is itself."""
    if kind == "country":
        return words.country_name(code)
    if kind == "currency":
        return words.currency_name(code)
    found = policy.current()[kind].get(code)
    if found is None:
        return code
    return (found.en if words.language.get() == "en" else found.zh) or found.zh or code
