"""How three published projects get a page out of an answer, described by what their code does and written anew."""
import re


def screenshot_to_code(text):
    """Takes off <file path=...>, drops lines that are fences, keeps the first doctype ... <html ... </html>, in any
    case, else the first <html ... </html> in lower case, else everything."""
    m = re.search(r"<file path=[^>]*>(.*?)</file>", text, re.S)
    text = m.group(1) if m else text
    text = re.sub(r"(?m)^```\w*\s*$", "", text)
    m = re.search(r"<!doctype html.*?>.*?<html.*?</html>", text, re.S | re.I) or re.search(r"<html.*?>.*?</html>", text, re.S)
    return m.group(0) if m else text


def design2code(text):
    """Strips a fence at either end and the word html behind it; what stands before the first <!DOCTYPE, in capitals,
    and after the first </html> goes."""
    text = text.strip()
    text = text[3:] if text.startswith("```") else text
    text = text[:-3] if text.endswith("```") else text
    text = text.strip()
    text = text[4:] if text.startswith("html") else text
    start, end = text.find("<!DOCTYPE"), text.find("</html>")
    text = text[: end + 7] if end >= 0 else text
    return text[start:] if start >= 0 else text


def glm_detector(text):
    """Three backticks anywhere: taken as fenced, and a chat window shows what is between the fences. Else the page starts
    at the first thing that looks like a tag, goes on to the end, and three escapes are undone everywhere. The detector
    decides on a stream, piece by piece; here it sees the whole answer at once, which is kinder to it."""
    if "```" in text:
        m = re.search(r"```\w*\n(.*?)(?:\n```|\Z)", text, re.S)
        return m.group(1) if m else text
    start = re.search(r"(?i)<!doctype html|<[a-z]", text)
    return text[start.start():].replace("\\n", "\n").replace('\\"', '"').replace("\\'", "'") if start else text


PEERS = [("screenshot-to-code", screenshot_to_code), ("Design2Code", design2code), ("GLM-V detector", glm_detector)]
