# A notebook whose cells, threads, handlers and widget try to get leave to launch; see tests/browser/test_modes.py.
import marimo

app = marimo.App()

with app.setup:
    import threading
    import time

    import anywidget
    import marimo as mo
    import traitlets

    from tests.fakes.origins import attempt, attempt_in

    attempt("setup")


@app.class_definition
class Sender(anywidget.AnyWidget):
    _esm = """
    function render({ model, el }) {
        const button = document.createElement("button");
        button.textContent = "Send";
        button.onclick = () => {
            model.send({ launch: true });
            model.set("clicks", model.get("clicks") + 1);
            model.save_changes();
        };
        el.append(button);
    }
    export default { render };
    """
    clicks = traitlets.Int(0).tag(sync=True)

    def __init__(self):
        super().__init__()
        self.on_msg(lambda *_: attempt("widget message"))
        self.observe(lambda _: attempt("widget trait"), "clicks")


@app.cell
def _():
    attempt("cell")
    attempt_in(threading.Thread, "Thread")
    attempt_in(mo.Thread, "mo.Thread")
    return


@app.cell
def _():
    handlers = {"on_change": lambda _: attempt("on_change"), "on_click": lambda _: attempt("on_click")}
    button = mo.ui.button(label="Press", **handlers)
    sender = mo.ui.anywidget(Sender())
    mo.vstack([button, sender])
    return


@app.cell
def _():
    # As the sections of a study do: their elements are made in a thread, and news has cells run again.
    made = []

    def make():
        made.append(mo.ui.button(label="Touch", on_change=lambda _: attempt("on_change of what a thread made")))

    maker = mo.Thread(target=make)
    maker.start()
    maker.join()
    made[0]
    return


@app.cell
def _():
    news, set_news = mo.state(0)

    def tell():
        time.sleep(1)
        set_news(1)

    mo.Thread(target=tell, daemon=True).start()
    return (news,)


@app.cell
def _(news):
    if news():
        attempt("news")
    return


@app.cell
def _():
    mo.md("ready")
    return


if __name__ == "__main__":
    app.run()
