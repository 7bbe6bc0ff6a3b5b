"""How long the browser tests wait, so that they pass on a machine with much else to do."""

PATIENCE = 120_000  # ms; a test that needs them is broken or shares its machine with many others
# A page that gives up waiting (for a font, for a kernel) after a second or so waits longer here:
# a busy machine must not look like a font that never comes or a kernel that died.
PATIENT = """(() => {
    const soon = window.setTimeout;
    window.patient = 1;
    window.setTimeout = (act, time, ...rest) =>
        soon(act, time >= 800 && window.patient ? 60 * time : time, ...rest);
})()"""
