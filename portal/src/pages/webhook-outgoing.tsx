export function OutgoingWebhookPage({ id }: { id: string }) {
  return <p>{id}</p>;
}
