/* Three small things of a page: light or dark, the contents on a phone, and scrollable boxes within reach of the keyboard. */
(function () {
  'use strict';
  var root = document.documentElement;
  var media = matchMedia('(prefers-color-scheme: dark)');

  var toggle = document.querySelector('.mode');
  function paint() {
    var dark = root.dataset.mode === 'dark' || (root.dataset.mode === 'auto' && media.matches);
    root.dataset.theme = dark ? 'dark' : 'light';
    toggle.lastElementChild.textContent = dark ? 'Light page' : 'Dark page';
  }
  toggle.hidden = false;
  toggle.addEventListener('click', function () {
    root.dataset.mode = root.dataset.theme === 'dark' ? 'light' : 'dark';
    try { localStorage.setItem('gtt-mode', root.dataset.mode); } catch (e) { /* storage is off: the choice lasts for this page */ }
    paint();
  });
  media.addEventListener('change', paint);
  paint();

  var menu = document.querySelector('.menu');
  function open(yes) {
    root.classList.toggle('nav-open', yes);
    menu.setAttribute('aria-expanded', String(yes));
  }
  menu.addEventListener('click', function () { open(menu.getAttribute('aria-expanded') === 'false'); });
  document.addEventListener('keydown', function (event) {
    if (event.key === 'Escape' && root.classList.contains('nav-open')) { open(false); menu.focus(); }
  });

  function reach() {
    document.querySelectorAll('pre, .formula, .scroll, .cell_output').forEach(function (box) {
      if (box.scrollWidth > box.clientWidth + 1) { box.tabIndex = 0; } else { box.removeAttribute('tabindex'); }
    });
  }
  addEventListener('resize', reach);
  addEventListener('load', reach);
  document.addEventListener('toggle', reach, true);
  reach();
})();
