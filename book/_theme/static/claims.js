/* The ledger's filter. Without it every entry is shown. */
(function () {
  'use strict';
  var form = document.querySelector('.claim-filter');
  var claims = Array.from(document.querySelectorAll('.claim'));
  var output = form.querySelector('output');
  function show() {
    var wanted = [form.source.value, form.verdict.value].filter(Boolean);
    var shown = 0;
    claims.forEach(function (claim) {
      claim.hidden = !wanted.every(function (name) { return claim.classList.contains(name); });
      if (!claim.hidden) { shown += 1; }
    });
    document.querySelectorAll('section.claims').forEach(function (section) {
      section.hidden = !section.querySelector('.claim:not([hidden])');
    });
    output.textContent = shown + ' of ' + claims.length + ' entries';
  }
  function reveal() {
    var target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.closest('[hidden]')) { form.reset(); show(); target.scrollIntoView(); }
  }
  form.addEventListener('submit', function (event) { event.preventDefault(); });
  form.addEventListener('change', show);
  addEventListener('hashchange', reveal);
  show();
})();
