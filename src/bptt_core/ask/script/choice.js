const kinds = {}; // kind: (question) => {answer(button): what to say, or a fault, or nothing; put(state): fill it in again}

kinds.choice = ({ root, spec }) => {
  const inputs = [...root.querySelectorAll("input")];
  return {
    answer() {
      const i = inputs.findIndex((input) => input.checked);
      if (i < 0) return { fault: "Pick one first." };
      return { verdict: i === spec.right ? "right" : "slip", html: [spec.said[i]], said: inputs[i].parentNode.textContent.trim(), state: i };
    },
    put: (i) => inputs[i] && (inputs[i].checked = true),
  };
};
