// The ledger's filter. Without it every entry is shown.
{
  const form = document.querySelector(".claim-filter");
  const claims = [...document.querySelectorAll(".claim")];

  const show = () => {
    const wanted = [form.source.value, form.verdict.value].filter(Boolean);
    for (const claim of claims)
      claim.hidden = !wanted.every((name) => claim.classList.contains(name));
    for (const section of document.querySelectorAll("section.claims"))
      section.hidden = !section.querySelector(".claim:not([hidden])");
    const shown = claims.filter((claim) => !claim.hidden).length;
    form.querySelector("output").textContent = `${shown} of ${claims.length} entries`;
  };

  // an address that names a hidden entry shows every entry
  const reveal = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && document.getElementById(id);
    if (!target?.closest("[hidden]")) return;
    form.reset();
    show();
    target.scrollIntoView();
  };

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", show);
  addEventListener("hashchange", reveal);
  show();
}
