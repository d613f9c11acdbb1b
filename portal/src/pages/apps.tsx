export function AppsPage() {
  return <p>x</p>;
}
