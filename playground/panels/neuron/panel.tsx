export function NeuronPanel() {
  return <div class="panel" />;
}
