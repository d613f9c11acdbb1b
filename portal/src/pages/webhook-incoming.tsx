export function IncomingWebhookPage({ id }: { id: string }) {
  return <p>{id}</p>;
}
