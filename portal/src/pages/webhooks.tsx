export function WebhooksPage() {
  return <p>x</p>;
}
