// The ledger's search and filters. They stand in the address, #source=A&verdict=slip, so that a
// selection can be linked to and kept. Without a script every entry is shown.
{
  const form = document.querySelector(".claim-filter");
  const output = form.querySelector("output");
  const claims = [...document.querySelectorAll(".claim")];
  const words = new Map();
  const names = ["q", "source", "verdict", "weight", "matters"];

  const classOf = {
    source: (value) => `source-is-${value}`,
    verdict: (value) => `verdict-${value.replace(" ", "-")}`,
    weight: (value) => `weight-is-${value}`,
    matters: () => "matters",
  };

  const textOf = (claim) => {
    if (!words.has(claim)) words.set(claim, `${claim.id} ${claim.textContent}`.toLowerCase());
    return words.get(claim);
  };

  const chosen = () => {
    const data = new FormData(form);
    return names.map((name) => [name, (data.get(name) ?? "").trim()]).filter(([, value]) => value);
  };

  const show = () => {
    const picked = chosen();
    const query = picked.find(([name]) => name === "q")?.[1] ?? "";
    const terms = query.toLowerCase().split(/\s+/);
    const classes = picked.filter(([name]) => name !== "q").map(([name, v]) => classOf[name](v));
    for (const claim of claims)
      claim.hidden =
        !classes.every((name) => claim.classList.contains(name)) ||
        !terms.every((term) => textOf(claim).includes(term));
    for (const section of document.querySelectorAll("section.claims"))
      section.hidden = !section.querySelector(".claim:not([hidden])");
    const shown = claims.filter((claim) => !claim.hidden).length;
    output.textContent = `${shown} of ${claims.length} entries`;
  };

  // what the address asks for: a selection, or an entry that a selection may hide
  const read = () => {
    const hash = location.hash.slice(1);
    if (hash.includes("=")) {
      const asked = new URLSearchParams(hash);
      for (const name of names) {
        const field = form.elements[name];
        if (field.type === "checkbox") field.checked = asked.has(name);
        else field.value = asked.get(name) ?? "";
      }
      show();
      form.scrollIntoView();
      return;
    }
    const target = document.getElementById(hash);
    if (!target?.closest("[hidden]")) return;
    form.reset();
    show();
    target.scrollIntoView();
  };

  const change = () => {
    show();
    const query = new URLSearchParams(chosen()).toString();
    history.replaceState(null, "", query ? `#${query}` : location.pathname + location.search);
  };

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", change);
  addEventListener("hashchange", read);
  show();
  read();
}
