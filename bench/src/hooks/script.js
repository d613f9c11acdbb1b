// Turns a build server's post into a message of a channel.
class Script {
  process_incoming_request({ request }) {
    const { text, build, repository, commits } = request.content;
    if (!build || build.status === 'queued') {
      return;
    }
    const colors = { passed: '#2da44e', failed: '#d73a49', canceled: '#6e7781' };
    const number = /#(\d+)/.exec(text)[1];
    const took = (Date.parse(build.finished_at) - Date.parse(build.started_at)) / 1000;
    const lines = (commits || []).slice(0, 5).map((commit) => {
      const [subject] = s.lines(commit.message);
      const link = `[${commit.sha.slice(0, 7)}](${repository.url}/commit/${commit.sha})`;
      return `${link} ${s.truncate(s.escapeHTML(subject), 72)} (${commit.author.name})`;
    });
    const failed = build.tests.filter((suite) => suite.failed > 0);
    const count = failed.reduce((sum, suite) => sum + suite.failed, 0);
    return {
      content: {
        text: `Build #${number} of ${repository.name} ${build.status} on ${build.branch}: ${count} failures`,
        attachments: [{
          title: s.capitalize(failed.map((suite) => suite.name).join(', ')),
          title_link: build.url,
          color: colors[build.status] || colors.canceled,
          text: lines.join('\n'),
          fields: [
            { title: 'Took', value: `${Math.floor(took / 60)} min ${took % 60} s`, short: true },
            { title: 'By', value: build.author, short: true },
          ],
        }],
      },
    };
  }
}
