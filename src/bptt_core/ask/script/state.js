// A lab to be brought to a state. The lab says where it is (the event gtt:setting); a table says what that state is.
kinds.state = ({ root, spec, say, finish }) => {
  let last;
  document.addEventListener("gtt:setting", ({ detail }) => {
    if (detail.name !== spec.lab || !detail.touched || !root.isConnected) return;
    const found = Number(spec.table[detail.at.reduce((sum, i, k) => sum + i * spec.strides[k], 0)]);
    if (found === last) return;
    last = found;
    const html = [spec.said[found]], said = Object.entries(detail.settings).map(([k, v]) => `${k} ${v}`).join(", ");
    if (found === spec.solved) finish({ verdict: "right", html, said, state: said });
    else if (html[0]) say({ verdict: "try", html });
  });
  return {
    answer: () => ({ fault: "Move the lab: the question sees when it is there." }),
    put: () => say({ verdict: "right", html: [spec.said[spec.solved]] }),
    still: true,
  };
};
