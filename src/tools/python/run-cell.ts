/**
 * Python that runs a cell as a notebook does: in a namespace that lasts, the last expression's value shown, `await`
 * allowed at the top, errors as a traceback of the cell's own lines. Takes JavaScript's modules away first.
 */
export const runCellSource = `
import ast, builtins, inspect, linecache, os, sys, traceback, types

for _name in [name for name in sys.modules if name == "js" or name.split(".")[0] == "pyodide_js"]:
    del sys.modules[_name]
for _name in ("js", "pyodide_js", "pyodide.http", "pyodide.code", "micropip"):
    sys.modules[_name] = None
# asyncio.run asks this of JavaScript: it may wait within a running loop.
_settings = types.SimpleNamespace(enableRunUntilComplete=True)
sys.modules["pyodide_js._api"] = types.SimpleNamespace(config=_settings)
os.makedirs("/mnt/data", exist_ok=True)

_main = sys.modules["__main__"]
_main.__dict__.setdefault("__builtins__", builtins)
_count = 0

def _compile(source, name):
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree = compile(source, name, "exec", flags | ast.PyCF_ONLY_AST)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr) and not source.rstrip().endswith(";"):
        last = compile(ast.Expression(tree.body.pop().value), name, "eval", flags)
    return compile(tree, name, "exec", flags), last

async def _evaluate(code):
    value = eval(code, _main.__dict__)
    return await value if code.co_flags & inspect.CO_COROUTINE else value

async def run_cell(source):
    global _count
    _count += 1
    name = f"<cell {_count}>"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    try:
        body, last = _compile(source, name)
        await _evaluate(body)
        if last is not None:
            value = await _evaluate(last)
            if value is not None:
                _main.__dict__["_"] = value
                print(repr(value))
    except SystemExit as error:
        if error.code not in (None, 0):
            print(f"SystemExit: {error.code}", file=sys.stderr)
    except BaseException as error:
        tb = error.__traceback__
        while tb is not None and not tb.tb_frame.f_code.co_filename.startswith("<cell "):
            tb = tb.tb_next
        traceback.print_exception(type(error), error, tb)
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:
                pass

run_cell
`;
