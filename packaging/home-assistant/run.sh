#!/usr/bin/with-contenv bashio
# kwsd-wyoming with the options of the add-on's page; Home Assistant is told of it when it answers.
set -e
arguments=(-o wyoming.uri=tcp://0.0.0.0:10400)
if bashio::config.has_value threshold && [ "$(bashio::config threshold)" != 0 ]; then
	arguments+=(-o "decision.threshold=$(bashio::config threshold)")
fi
# words of one's own, made by `kws enrol`, or another model; else the wake words that ship
model=/share/kwsd/model.safetensors
[ -e $model ] || model=/usr/share/kwsd/wake-words.safetensors
arguments+=(-o "model.path=$model")
(
	until true <"/dev/tcp/127.0.0.1/10400"; do sleep 1; done 2>/dev/null
	bashio::discovery wyoming "$(bashio::var.json uri "tcp://$(hostname):10400")" >/dev/null && bashio::log.info 'Home Assistant knows of kwsd'
) &
exec kwsd-wyoming "${arguments[@]}"
