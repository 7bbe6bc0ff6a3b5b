/* Three small things of a page: light or dark, the contents on a phone, and boxes that scroll within reach of the keyboard. */
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

  /* What may scroll sideways can be reached by keyboard from the start; what turns out to fit need not be. Only boxes near
     the window are measured: the rest of a long page is not even laid out (content-visibility in gtt.css). */
  var boxes = document.querySelectorAll('pre, .formula, .scroll, .cell_output, p mjx-container, li mjx-container');
  function measure(box) {
    var inline = box.matches('mjx-container');
    if (inline) { box.classList.toggle('long', box.firstElementChild.getBoundingClientRect().right > innerWidth - 8); }
    if (box.scrollWidth > box.clientWidth + 1 && (!inline || box.matches('.long'))) { box.tabIndex = 0; }
    else { box.removeAttribute('tabindex'); }
  }
  var near = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) { if (entry.isIntersecting) { measure(entry.target); } });
  }, {rootMargin: '600px'});
  boxes.forEach(function (box) { near.observe(box); });
  addEventListener('resize', function () { boxes.forEach(function (box) { near.unobserve(box); near.observe(box); }); });
})();
