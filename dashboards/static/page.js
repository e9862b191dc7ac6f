window.voila_process = () => {};
window.voila_heartbeat = () => {};
window.voila_finish = () => {};
