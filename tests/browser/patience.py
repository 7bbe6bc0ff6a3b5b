"""How long the browser tests wait, so that they pass on a machine with much else to do."""

PATIENCE = 120_000  # ms; a test that needs them is broken or shares its machine with many others
SLOWER = """(() => {{
    const soon = window.setTimeout, abort = AbortSignal.timeout.bind(AbortSignal);
    window.patient = 1;
    window.setTimeout = (act, time, ...rest) =>
        soon(act, {which} && window.patient ? 60 * time : time, ...rest);
    AbortSignal.timeout = (time) => abort(window.patient ? 60 * time : time);
}})()"""
# A page that gives up waiting (for a font, for a kernel) after a second or so waits longer here:
# a busy machine must not look like a font that never comes or a kernel that died.
PATIENT = SLOWER.format(which="time >= 800")
# In JupyterLab only a lab's patience with its kernel, 2.5 s, and anywidget's with a widget, 2 s:
# JupyterLab keeps its own.
PATIENT_LAB = SLOWER.format(which="time === 2500")
