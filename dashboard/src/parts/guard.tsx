// One odd device must not take the page down: what fails to draw says so in its own place, and tries again when what it
// shows has changed.

import { Component, type ComponentChildren } from "preact";

interface Props {
  what: string;
  children: ComponentChildren;
}

export class Guard extends Component<Props, { failed: boolean }> {
  override state = { failed: false };

  override componentDidCatch(error: unknown): void {
    console.error("could not draw " + this.props.what, error);
    this.setState({ failed: true });
  }

  override componentWillReceiveProps(): void {
    if (this.state.failed) this.setState({ failed: false });
  }

  override render() {
    if (this.state.failed) return <p class="panel error">This part could not be drawn: <bdi>{this.props.what}</bdi>.</p>;
    return this.props.children;
  }
}
