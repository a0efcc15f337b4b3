"""The figures as text: a table of absolute figures, one of ratios, and what only weir has."""

from .measures import FIGURES


def _table(header, rows):
    widths = [max(len(str(row[column])) for row in [header, *rows]) for column in range(len(header))]

    def line(cells):
        first, *others = cells
        return "| " + " | ".join([str(first).ljust(widths[0]), *(str(c).rjust(w) for c, w in zip(others, widths[1:]))]) + " |"

    rule = "|" + "|".join(("-" * (w + 1) + ":") if i else "-" * (w + 2) for i, w in enumerate(widths)) + "|"
    return "\n".join([line(header), rule, *(line(row) for row in rows)])


def _number(value, decimals):
    return "-" if value is None else f"{value:,.{decimals}f}"


def comparison(results, names):
    absolute = [[f"{title}, {unit}", *(_number(results[name].get(key), decimals) for name in names)]
                for key, title, unit, decimals in FIGURES]
    rivals = [name for name in names if name != "weir"]
    ratios = []
    for key, title, _, _ in FIGURES:
        ours = results.get("weir", {}).get(key)
        cells = []
        for rival in rivals:
            theirs = results[rival].get(key)
            # A difference that is lost in the noise, or a negative one, has no ratio.
            cells.append(f"{ours / theirs:.2f}" if ours and theirs and ours > 0 and theirs > 0 else "-")
        ratios.append([title, *cells])
    return (_table(["figure", *names], absolute) + "\n\n"
            + _table(["weir ÷ rival (below 1: weir is cheaper)", *rivals], ratios))


def sandbox(figures):
    rows = []
    if figures.get("start_up"):
        start = figures["start_up"]
        rows += [["weir run -- true, ms", _number(start["run_true_ms"], 1)],
                 ["bwrap … true, ms", _number(start["bwrap_true_ms"], 1)],
                 ["first HTTPS request of a sandbox, ms", _number(start["first_request_ms"], 1)],
                 ["from weir run to that first answer, with the client's own start, ms", _number(start["first_answer_ms"], 1)]]
    for kind, size in (figures.get("idle_sandbox") or {}).items():
        rows.append([f"private memory of an idle sandbox: {kind}, MiB", _number(size / 2**20, 2)])
    if figures.get("leaf_certificate_us") is not None:
        rows.append(["new leaf certificate, CPU, µs", _number(figures["leaf_certificate_us"], 0)])
    return _table(["weir alone", "median"], rows) if rows else ""
