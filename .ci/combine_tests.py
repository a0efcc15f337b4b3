"""combine_tests.py FOLDER BUILD…: makes FOLDER a test tree of ctest's with the tests of build/BUILD, each named BUILD/NAME."""

import json
import os
import subprocess
import sys


def quote(text):
    """A CMake bracket argument, in which nothing is special."""
    fence = ""
    while f"]{fence}]" in text:
        fence += "="
    return f"[{fence}[{text}]{fence}]"


def tests_of(build):
    listed = subprocess.run(["ctest", "--test-dir", f"build/{build}", "--show-only=json-v1"], check=True,
                            capture_output=True, text=True).stdout
    return json.loads(listed)["tests"]


def value_of(prop):
    value = prop["value"]
    if isinstance(value, list):
        return ";".join(str(item) for item in value)
    if isinstance(value, bool):
        return "ON" if value else "OFF"
    return str(value)


def main(folder, builds):
    os.makedirs(folder, exist_ok=True)
    lines = []
    for build in builds:
        for test in tests_of(build):
            if "command" not in test:
                sys.exit(f"{build}/{test['name']} has no command: was it built?")
            name = quote(f"{build}/{test['name']}")
            lines.append(f"add_test({name} {' '.join(quote(word) for word in test['command'])})")
            properties = " ".join(f"{prop['name']} {quote(value_of(prop))}" for prop in test.get("properties", []))
            lines.append(f"set_tests_properties({name} PROPERTIES {properties})")
    with open(os.path.join(folder, "CTestTestfile.cmake"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
